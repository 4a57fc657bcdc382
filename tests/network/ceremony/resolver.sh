#!/bin/sh
# An ordinary resolver, Unbound, on this host: resolver.sh ROOT_SERVER ADDRESS@PORT... The root's trust anchor is /etc/root.key.
set -eu
root=$1
shift
printf '. 3600 IN NS ns.root.\nns.root. 3600 IN A %s\n' "$root" >/etc/resolver.hints
{
    echo server:
    printf '  interface: "%s"\n' "$@"
    cat <<END
  access-control: 0.0.0.0/0 allow
  access-control: ::/0 allow
  chroot: ""
  pidfile: "/run/resolver.pid"
  root-hints: "/etc/resolver.hints"
  trust-anchor-file: "/etc/root.key"
  username: ""
  use-syslog: yes
remote-control:
  control-enable: no
END
} >/etc/resolver.conf
systemd-run -q --unit=resolver unbound -d -c /etc/resolver.conf
deadline=$(($(date +%s) + 90))
for interface; do
    until kdig "@${interface%@*}" -p "${interface#*@}" +time=2 +retry=0 . SOA 2>/dev/null | grep -q NOERROR; do
        [ "$(date +%s)" -lt $deadline ] || { journalctl -u resolver -n 20 >&2; exit 1; }
        sleep 0.1
    done
done
