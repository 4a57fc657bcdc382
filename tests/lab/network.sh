# The lab's network: one bridge a lab, one namespace and one veth pair a host, no way out. Sourced by lab.
# shellcheck shell=bash

# A subnet is free if no route of this machine leads into it or covers it, the default route aside.
subnet_is_free() { # PREFIX (the first three numbers)
    [[ -z $(ip -4 route show root "$1.0/24") ]] &&
        [[ -z $(ip -4 route show match "$1.0/24" | grep -v '^default') ]]
}

# The lab's prefix, from the checkout's name so that addresses stay as they are, or the next free one.
choose_prefix() { # KIND
    local kind=$1 file=$state/$1/prefix salt digest prefix
    [[ -f $file ]] && subnet_is_free "$(<"$file")" && return
    for salt in {0..99}; do
        digest=$(printf '%s %s %s' "$checkout_id" "$kind" "$salt" | sha256sum)
        prefix=10.$((16#${digest:0:2} % 254 + 1)).$((16#${digest:2:2}))
        subnet_is_free "$prefix" && break
        prefix=
    done
    [[ $prefix ]] || die "no free subnet in 10.0.0.0/8: see \`ip route\`"
    printf '%s\n' "$prefix" >"$file.part"
    mv "$file.part" "$file"
}

prefix_of() { cat "$state/$1/prefix"; }
controller_of() { printf '%s.1' "$(prefix_of "$1")"; }

bridge_up() { # KIND
    local bridge
    bridge=$(name_of "$1")
    if ! ip link show "$bridge" >/dev/null 2>&1; then
        # Two checkouts must not choose one subnet at the same moment.
        exec 7>/run/lock/chainwright-lab.lock
        flock 7
        choose_prefix "$1"
        ip link add "$bridge" type bridge
        ip addr add "$(controller_of "$1")/24" dev "$bridge"
        ip link set "$bridge" up
        exec 7>&-
    fi
    # Set each time: a run killed half-way may have left a bridge without them.
    ip addr replace "$(controller_of "$1")/24" dev "$bridge"
    ip link set "$bridge" up
    sysctl -q -w "net.ipv4.conf.$bridge.forwarding=0"
}

bridge_down() { # KIND
    ip link del "$(name_of "$1")" 2>/dev/null || true
}

# The same at each boot: the others' neighbour tables would send to a former address for up to half a minute.
mac_of() { # KIND HOST
    local digest
    digest=$(name_of "$1" "$2" | sha256sum)
    printf '02:%s:%s:%s:%s:%s' "${digest:0:2}" "${digest:2:2}" "${digest:4:2}" "${digest:6:2}" "${digest:8:2}"
}

# The host's end of the pair is called host0, as systemd-nspawn would call it.
link_up() { # KIND HOST
    local kind=$1 host=$2 namespace outer
    namespace=$(name_of "$kind" "$host")
    outer=$(name_of "$kind")$(number_of "$kind" "$host")
    ip netns list | grep -qE "^$namespace( |$)" || ip netns add "$namespace"
    if ! ip -n "$namespace" link show host0 >/dev/null 2>&1; then
        ip link del "$outer" 2>/dev/null || true
        ip link add "$outer" type veth peer name host0 address "$(mac_of "$kind" "$host")" netns "$namespace"
    fi
    ip link set "$outer" master "$(name_of "$kind")" up
    ip -n "$namespace" link set lo up
    ip -n "$namespace" addr replace "$(address_of "$kind" "$host")/24" dev host0
    # Usable at once: nobody else can have it.
    [[ ! -e /proc/net/if_inet6 ]] || ip -n "$namespace" addr replace "$(address6_of "$kind" "$host")/64" dev host0 nodad
    ip -n "$namespace" link set host0 up
}

link_down() { # KIND HOST
    ip link del "$(name_of "$1")$(number_of "$1" "$2")" 2>/dev/null || true
    ip netns del "$(name_of "$1" "$2")" 2>/dev/null || true
}
