#!/bin/sh
# Would nginx take this file in place of its namesake in conf.d, with all else that it is told? would-take.sh NAME FILE
set -e
others=$(mktemp -d)
# Beside the real one, since what it includes may be named from there.
main=$(mktemp /etc/nginx/would-take-XXXXXX)
trap 'rm -rf "$others" "$main"' EXIT
grep -q /etc/nginx/conf.d/ /etc/nginx/nginx.conf || { echo "/etc/nginx/nginx.conf does not include /etc/nginx/conf.d" >&2; exit 1; }
for file in /etc/nginx/conf.d/*.conf; do
    [ ! -e "$file" ] || cp "$file" "$others/"
done
cp "$2" "$others/$1"
sed "s|/etc/nginx/conf.d/|$others/|" /etc/nginx/nginx.conf >"$main"
nginx -q -t -c "$main"
