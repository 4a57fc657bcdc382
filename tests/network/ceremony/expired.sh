#!/bin/sh
# Signs a zone in /var/lib/knot as if it were a month ago, with signatures for two weeks: expired.sh ZONE. Prints its DS record.
set -eu
zone=$1
folder=$(mktemp -d)
cat >"$folder/conf" <<END
database:
  storage: $folder
policy:
  - id: lab
    algorithm: ecdsap256sha256
    single-type-signing: on
    rrsig-lifetime: 14d
zone:
  - domain: $zone
    storage: /var/lib/knot
    file: $zone.zone
    dnssec-signing: on
    dnssec-policy: lab
END
kzonesign -c "$folder/conf" -o "$folder" -t $(($(date +%s) - 30 * 86400)) "$zone" >"$folder/log" 2>&1 || { cat "$folder/log" >&2; exit 1; }
mv "$folder/$zone.zone" /var/lib/knot
keymgr -c "$folder/conf" "$zone" ds | grep -E ' DS [0-9]+ [0-9]+ 2 '
