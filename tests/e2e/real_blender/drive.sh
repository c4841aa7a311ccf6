# SPDX-License-Identifier: GPL-3.0-or-later
# The hand at the mouse and the keys (xdotool): add the node from the Add menu, drop it on the link, press the button.
. "$GUISHOT_DIR/marks"

go() { xdotool mousemove "${1%,*}" "${1#*,}"; sleep 0.5; }
saying() { grep -q "$1" "$WINDOW_STATE"; }
wait_for() { for _ in $(seq 300); do saying "$1" && return 0; sleep 0.2; done; echo "waited in vain for $1" >&2; return 1; }

go "$EMPTY"
xdotool key shift+a
sleep 1.5
snap menu.png
xdotool type --delay 150 "DeepDream"
sleep 1.5
snap search.png
xdotool key Return
sleep 1
go "$LINK"
for way in 4 -3 2; do  # the link lights up once Blender has drawn the node above it
  xdotool mousemove_relative -- "$way" 0
  sleep 1
done
xdotool click 1
wait_for '"DeepDream"'
sleep 1
snap added.png

go "${SIDEBAR%,*},$((${SIDEBAR#*,} + 70))"
snap before.png
xdotool click 1
for _ in $(seq 300); do ls "$WINDOW_CACHE"/dream/*/0001.exr >/dev/null 2>&1 && break; sleep 0.2; done
snap running.png
wait_for '"running": false'
sleep 2
snap dreamed-frame.png

# another seed, by the button beside it: the dream is out of date
go "$((${SIDEBAR%,*} + 84)),$((${SIDEBAR#*,} + 377))"
xdotool click 1
wait_for "Out of date"
sleep 1
