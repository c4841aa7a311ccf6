# SPDX-License-Identifier: GPL-3.0-or-later
# An artist's first minutes, by mouse: from the zip to a dreamed animation. Text is typed where a field asks for it.
. "$HAND/hand.sh"

# install the zip, which lies beside the .blend
press "Edit"
press "Preferences..."
press "Get Extensions"
press "Continue Offline"
beside 99,0 "Repositories"
press "Install from Disk..."
press "$WINDOW_ZIP"
snap 1-zip.png
press "Install from Disk"
see "Installed"

# its preferences: the environment of a dream server that is there already
press "Add-ons" 2
press "Search Add-ons"
say "DeepDream"
xdotool key Return
sleep 0.5
beside -64,0 "DeepDream" 2
see "Install Dream Server"
beside 160,0 "Or a Python of Yours"
say "$WINDOW_PYTHON"
xdotool key Return
press "Test Connection"
wait_for "It answers"
sleep 0.5
snap 2-preferences.png
close_window

# a node from the Add menu, dropped onto the rendered image's link
press "Compositing"
wait_for '"workspace": "Compositing"'
if [ "$WINDOW_SUITE" = trixie ]; then press "Use Nodes"; else press "New" 2; fi
wait_for '"link": \[[1-9]'
press "Add" 1
see "DeepDream" 1
snap 3-add.png
press "DeepDream" 1
sleep 0.5
go "$(link)"
for way in 4 -3 2; do  # the link lights up once Blender has drawn the node above it
  xdotool mousemove_relative -- "$way" 0
  sleep 0.7
done
xdotool click 1
wait_for '"Render Layers", "DeepDream"'

# brain and layer by their pictures
tab "DeepDream"
beside 0,-60 "lite0"
sleep 1
snap 4-brain.png
beside -110,60 "Brain's own" 1
sleep 0.5
beside 0,-60 "Brain's own" 1
see "Dogs and fur"
snap 5-layer.png
press "Zebra stripes"
wait_for '_blocks.5'

# the animation: seen on its way, cancelled, gone on with
press "Dream Animation"
wait_for 'octave'
sleep 0.3
snap 6-dreaming.png
wait_for '(2 of 4): dreaming'
press "Cancel Dream"
wait_for '"running": false'
wait_for '"error": "Cancelled'
touch "$WINDOW_CANCELLED"
see "Dream Animation"
snap 7-cancelled.png
press "Dream Animation"
wait_for '"running": true'
wait_for '"running": false'
sleep 1
snap 8-dreamed.png
