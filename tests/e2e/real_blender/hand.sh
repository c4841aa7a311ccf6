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
wait_for() { for _ in $(seq ${PATIENCE:-600}); do told "$1" && return 0; sleep 0.2; done; fail "waited in vain for $1"; }
close_window() { touch "$GUISHOT_DIR/close"; wait_for '"windows": 1'; sleep 0.5; }
# a button's words in the tabs of a sidebar stand upright
tab() { upright=1 press "$@"; }
link() { python3 -c 'import json, sys; print(*json.load(open(sys.argv[1]))["link"], sep=",")' "$WINDOW_STATE"; }
