# SPDX-License-Identifier: GPL-3.0-or-later
# What the hand at the mouse and the keys can do (xdotool), and the eye beside it: it finds buttons by their words.

go() { xdotool mousemove "${1%,*}" "${1#*,}"; sleep 0.3; }
click() { go "$1"; xdotool click 1; sleep 0.3; }
say() { xdotool type --delay 20 "$1"; }
fail() { echo "$1" >&2; snap failed.png; exit 1; }

# find WORDS [NUMBER]: X,Y of the words on the screen; NUMBER: of which of several, in reading order
find_words() {
  import -silent -window root -colorspace gray -depth 8 "$GUISHOT_DIR/screen.pgm"
  rm -f "$GUISHOT_DIR/words.pgm"
  printf '%s' "$1" >"$GUISHOT_DIR/words.asked" && mv "$GUISHOT_DIR/words.asked" "$GUISHOT_DIR/words"
  for _ in $(seq 400); do [ -e "$GUISHOT_DIR/words.pgm" ] && break; sleep 0.05; done
  python3 "$HAND/find_words.py" "$GUISHOT_DIR/screen.pgm" "$GUISHOT_DIR/words.pgm" "${2:-0}" ${upright:+upright} | tr ' ' ,
}

# place WORDS [NUMBER]: the same, waited for
place() {
  for _ in $(seq 40); do
    found=$(find_words "$@") && [ -n "$found" ] && { echo "$found"; return 0; }
    sleep 0.3
  done
  fail "nowhere on the screen: $*"
}

see() { place "$@" >/dev/null; }
press() { spot=$(place "$@") || exit 1; click "$spot"; }
# beside DX,DY WORDS [NUMBER]: click so far from the words
beside() { away=$1; shift; spot=$(place "$@") || exit 1; click "$((${spot%,*} + ${away%,*})),$((${spot#*,} + ${away#*,}))"; }

told() { grep -q "$1" "$WINDOW_STATE"; }
# until_so TEST WORDS ACTION...: act again and again until it is told, or seen: a window that has just come may miss a click
until_so() {
  for _ in 1 2 3; do
    "${@:3}"
    for _ in $(seq 12); do "$1" "$2" && return 0; sleep 0.3; done
  done
  fail "in vain: $*"
}
seen() { [ -n "$(find_words "$1")" ]; }
wait_for() { for _ in $(seq ${PATIENCE:-600}); do told "$1" && return 0; sleep 0.2; done; fail "waited in vain for $1"; }
wait_until_there() { for _ in $(seq 600); do [ -e "$1" ] && return 0; sleep 0.2; done; fail "waited in vain for $1"; }
# here is no window manager: new windows open around the mouse, beyond the screen's edge too
WIDE=1050
bring() {
  for _ in $(seq 100); do window=$(xdotool search --onlyvisible --name "$1") && break; sleep 0.1; done
  xdotool windowmove "$window" 0 0 windowsize "$window" $WIDE 900
  sleep 1
}
open_preferences() { press "Edit"; press "Preferences..."; bring "Preferences"; }
# the add-on's own, in the preferences' window; NUMBER: of the words Add-ons that lead there
show_our_preferences() {
  press "Add-ons" "${1:-0}"
  press "Search Add-ons"
  say "DeepDream"
  xdotool key Return
  sleep 0.5
  beside -64,0 "DeepDream" 2
  see "Install Dream Server"
}
draws() { sed 's/.*"draws": \([0-9]*\).*/\1/' "$WINDOW_STATE"; }
# the mouse moves, and Blender has drawn its nodes since
drag() {
  before=$(draws)
  xdotool mousemove_relative -- "$1" 0
  for _ in $(seq 100); do [ "$(draws)" -gt "$before" ] && return 0; sleep 0.1; done
  fail "nothing was drawn"
}
close_window() { touch "$GUISHOT_DIR/close"; wait_for '"windows": 1'; sleep 0.5; }
# a button's words in the tabs of a sidebar stand upright
tab() { upright=1 press "$@"; }
link() { python3 -c 'import json, sys; print(*json.load(open(sys.argv[1]))["link"], sep=",")' "$WINDOW_STATE"; }
