# One lab host: its disk, its processes, its boot and its death. Sourced by lab.
#
# A host runs if its cgroup holds a process: that cannot be wrong after a crash, as a pid in a file can.
# shellcheck shell=bash

disk_of() { printf '%s/%s/hosts/%s' "$state" "$1" "$2"; }

# number_of KIND HOST: 1, 2, ...; it decides the address and the name of the outer link.
number_of() {
    local i
    [[ $1 == plain ]] && { printf %s "${2#host}"; return; }
    for i in "${!demo_hosts[@]}"; do
        [[ ${demo_hosts[i]} != "$2" ]] || printf %s "$((i + 1))"
    done
}

address_of() { printf '%s.%s' "$(prefix_of "$1")" "$((10 + $(number_of "$1" "$2")))"; }

# The same host in IPv6, which goes no further than the bridge either.
address6_of() { # KIND HOST
    local a b
    IFS=. read -r _ a b <<<"$(prefix_of "$1")"
    printf 'fd6c:6177:%x::%x' "$((a * 256 + b))" "$((10 + $(number_of "$1" "$2")))"
}

hosts_of() { # KIND: those that have a disk, in the order of their numbers
    local host
    for host in "$state/$1/hosts"/*/; do
        host=${host%/}
        [[ ! -e $host/complete ]] || printf '%s %s\n' "$(number_of "$1" "${host##*/}")" "${host##*/}"
    done | sort -n | cut -d' ' -f2
}

kind_of() { # HOST
    local kind
    for kind in "${kinds[@]}"; do
        [[ -e $(disk_of "$kind" "$1")/complete ]] && { printf %s "$kind"; return; }
    done
    die "no lab host is called $1: see lab status"
}

# --- disk: the shared image below, the host's own files above

mount_disk() { # KIND HOST
    local disk
    disk=$(disk_of "$1" "$2")
    mountpoint -q "$disk/root" && return
    mkdir -p "$disk"/{upper,work,root}
    mount -t overlay overlay -o "lowerdir=$(<"$disk/base")/image,upperdir=$disk/upper,workdir=$disk/work" "$disk/root" ||
        die "no overlay file system on $disk: .lab must be on a disk like ext4 or xfs"
}

unmount_disk() { # KIND HOST
    local root
    root=$(disk_of "$1" "$2")/root
    # More than one mount lies there if two runs raced before there was a lock.
    while mountpoint -q "$root"; do umount "$root" || umount -l "$root"; done
}

# Spent is a disk that is of no more use to anybody; its host does not run.
is_spent() { [[ -e $(disk_of "$1" "$2")/spent ]]; } # KIND HOST

# A new disk is complete only with its marker; without it, or when it is spent, it is begun again.
make_disk() { # KIND HOST BASE
    local disk root type
    disk=$(disk_of "$1" "$2")
    root=$disk/root
    [[ -e $disk/complete && -d $(<"$disk/base") ]] && ! is_spent "$1" "$2" && return
    remove_disk "$1" "$2"
    mkdir -p "$disk"
    printf '%s\n' "$3" >"$disk/base"
    mount_disk "$1" "$2"
    printf '%s\n' "$2" >"$root/etc/hostname"
    tr -d - </proc/sys/kernel/random/uuid >"$root/etc/machine-id"
    for type in ed25519 ecdsa; do
        ssh-keygen -q -t "$type" -N '' -C "root@$2" -f "$root/etc/ssh/ssh_host_${type}_key"
    done
    authorize_key "$root" root /root
    for type in admin operator nosudo; do authorize_key "$root" "$type" "/home/$type"; done
    touch "$disk/complete"
}

authorize_key() { # ROOT USER HOME
    local owner
    owner=$(awk -F: -v user="$2" '$1 == user { print $3 ":" $4 }' "$1/etc/passwd")
    install -d -m 0700 -o "${owner%:*}" -g "${owner#*:}" "$1$3/.ssh"
    install -m 0600 -o "${owner%:*}" -g "${owner#*:}" "$state/key.pub" "$1$3/.ssh/authorized_keys"
}

remove_disk() { # KIND HOST
    unmount_disk "$1" "$2"
    rm -rf --one-file-system "$(disk_of "$1" "$2")"
}

# What a host knows of its lab: it has no name server, and addresses may change from one boot to the next.
tell_host() { # KIND HOST
    local root name
    root=$(disk_of "$1" "$2")/root
    {
        # Without localhost geth asks DNS for it, waits 10 s, and hangs.
        printf '127.0.0.1 localhost\n::1 localhost ip6-localhost\n%s controller\n' "$(controller_of "$1")"
        for name in $(hosts_of "$1"); do printf '%s %s\n' "$(address_of "$1" "$name")" "$name"; done
    } >"$root/etc/hosts"
    printf 'deb [trusted=yes] %s/apt ./\n' "$(http_url "$1")" >"$root/etc/apt/sources.list.d/lab.list"
}

# --- processes

# The cgroup hierarchies that systemd looks at: cgroup2, and version 1's own where the machine has it.
cgroup_roots() {
    findmnt -n -l -t cgroup2 -o TARGET | head -n 1
    findmnt -n -l -t cgroup -O name=systemd -o TARGET | head -n 1
}

ensure_cgroup2() {
    [[ $(findmnt -n -l -t cgroup2 -o TARGET) ]] && return
    mkdir -p "$state/cgroup2"
    mount -t cgroup2 none "$state/cgroup2"
}

processes_of() { # KIND HOST
    local root
    for root in $(cgroup_roots); do
        find "$root/$(name_of "$1" "$2")" -name cgroup.procs -exec cat {} + 2>/dev/null || true
    done | sort -u
}

host_runs() { [[ $(processes_of "$1" "$2") ]]; }

kill_processes() { # KIND HOST: succeeds when none is left
    local pids
    pids=$(processes_of "$1" "$2")
    [[ $pids ]] || return 0
    # shellcheck disable=SC2086 # one argument a process; those that have just ended are no error
    kill -KILL $pids 2>/dev/null || true
    return 1
}

remove_cgroups() { # KIND HOST
    local root group
    for root in $(cgroup_roots); do
        group=$root/$(name_of "$1" "$2")
        [[ ! -d $group ]] || find "$group" -depth -type d -exec rmdir {} +
    done
}

kill_host() { # KIND HOST
    within 20 kill_processes "$1" "$2" || die "$2 has processes that cannot be killed: $(processes_of "$1" "$2" | xargs)"
    within 5 remove_cgroups "$1" "$2" 2>/dev/null || die "$2: its cgroup cannot be removed"
}

# Boots without waiting. The keeper starts nspawn again when the host reboots itself, which nspawn
# reports with code 133; it lives in the host's cgroup too, so nothing of a host is outside it.
start_host() { # KIND HOST
    local kind=$1 host=$2 machine
    machine=$(name_of "$kind" "$host")
    host_runs "$kind" "$host" && return
    remove_cgroups "$kind" "$host"
    link_up "$kind" "$host"
    mount_disk "$kind" "$host"
    tell_host "$kind" "$host"
    # shellcheck disable=SC2046 # one argument a hierarchy
    setsid "$here/keeper" "$machine" "$host" "$(disk_of "$kind" "$host")/root" $(cgroup_roots) \
        </dev/null >>"$(disk_of "$kind" "$host")/console.log" 2>&1 9>&- &
}

# On the host's own answer: all its units have been started, whether or not one of them failed.
host_answers() { # KIND HOST
    local answer
    answer=$(ssh -F "$state/ssh_config" -o BatchMode=yes -o ConnectTimeout=2 "$2" systemctl is-system-running --wait 2>/dev/null </dev/null) || true
    [[ $answer == running || $answer == degraded ]]
}

wait_for_host() { # KIND HOST
    within 90 host_answers "$1" "$2" && return
    tail -n 20 "$(disk_of "$1" "$2")/console.log" >&2
    die "$2 did not come up within 90 s: see $(disk_of "$1" "$2")/console.log"
}

wait_for_hosts() { # KIND HOST...: all at once; each that does not come up says so
    local kind=$1 host waiters=() waiter failed=0
    shift
    for host in "$@"; do
        wait_for_host "$kind" "$host" 9>&- &
        waiters+=($!)
    done
    for waiter in "${waiters[@]}"; do wait "$waiter" || failed=1; done
    return "$failed"
}
