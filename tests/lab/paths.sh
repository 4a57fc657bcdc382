# Names and places of this checkout's labs. Sourced by the other scripts, never run.
# shellcheck shell=bash disable=SC2034

checkout=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
state=$checkout/.lab
cache=${XDG_CACHE_HOME:-$HOME/.cache}/chainwright-lab

# Everything the kernel knows by a name (bridge, namespace, cgroup) carries the checkout's folder in it,
# so that leftovers are found again without any state and two checkouts never touch each other's hosts.
checkout_id=$(printf %s "$checkout" | sha256sum | cut -c1-6)

# For what is built with Go: less collecting of garbage while it compiles, less work on the C that comes along, and nothing for debuggers.
export GOGC=400 CGO_CFLAGS='-O0 -g0' GOFLAGS="${GOFLAGS:-} -gcflags=all=-dwarf=false"

kinds=(demo plain)
demo_hosts=(sealer1 sealer2 sealer3 rpc1 bootnode1 ethstats1)
# The demo's inventory holds the one version pin.
geth_version=$(sed -n 's/^geth_version: *//p' "$checkout/inventories/demo/group_vars/all.yml")

say() { printf 'lab: %s\n' "$*" >&2; }
die() { printf 'lab: error: %s\n' "$*" >&2; exit 2; }

# A command that fails without a word would leave the user with nothing; `die` has said it.
set -E
trap '[[ $? == 2 ]] || say "failed at ${BASH_SOURCE[0]}:$LINENO: $BASH_COMMAND"' ERR

# name_of KIND [HOST]: at most 11 characters without a host, since a bridge's name has room for 15.
name_of() { printf 'cw-%s-%s%s' "$checkout_id" "${1:0:1}" "${2:+-$2}"; }

# within SECONDS COMMAND...: waits until the command succeeds; fails at the deadline.
within() {
    local deadline=$((SECONDS + $1))
    shift
    until "$@"; do
        ((SECONDS < deadline)) || return 1
        sleep 0.1
    done
}
