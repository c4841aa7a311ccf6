# SPDX-License-Identifier: GPL-3.0-or-later
# The dream server by one button: seen on its way, cancelled, gone on with, tried, removed.
. "$HAND/hand.sh"

open_preferences
show_our_preferences
snap 1-offer.png
press "Allow Online Access"
beside 160,0 "Made For"
press "As Published"
press "Install Dream Server"
wait_for '"install": ".*Fetching the dream server: this takes minutes. '
wait_until_there "$WINDOW_HELD"  # the rest is small; torch is held back until the cancel
sleep 0.5
snap 2-fetching.png
press "Cancel"
wait_for '"install_error": "Cancelled'
see "Show Log"
snap 3-cancelled.png
touch "$WINDOW_CANCELLED"
press "Install Dream Server"
see "The dream server is installed"
press "Test Connection"
wait_for "It answers"
sleep 0.5
snap 4-installed.png
until_so seen "Remove It" press "Uninstall"
press "Remove It"
see "Install Dream Server"
