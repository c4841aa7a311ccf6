# SPDX-License-Identifier: GPL-3.0-or-later
# An artist's first minutes, by mouse: from the zip to a dreamed animation. Text is typed where a field asks for it.
. "$HAND/hand.sh"

# install the zip, which lies beside the .blend
open_preferences
press "Get Extensions"
press "Continue Offline"
spot=$(place "Repositories")
click "$((WIDE - 18)),${spot#*,}"
press "Install from Disk..."
bring "File View"
press "$WINDOW_ZIP"
see "$WINDOW_ZIP" 2
snap 1-zip.png
until_so told '"windows": 2' press "Install from Disk"
see "Installed"

# its preferences: the environment of a dream server that is there already
show_our_preferences 2
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
drag 4; drag -3; drag 2  # the link lights up once Blender has drawn the node above it
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

# what has dreamed is shown: an undo takes that back, and Blender lives
wait_for '"shown": \["Dream'
if [ "$WINDOW_SUITE" = sid ]; then
  xdotool key ctrl+z
  wait_for '"undone": 1'
  wait_for '"shown": \[\]'
fi
press "Dream Animation"
wait_for '"running": true'
wait_for '"running": false'
sleep 1
snap 8-dreamed.png
