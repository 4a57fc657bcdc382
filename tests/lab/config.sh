# What users and playbooks read of the lab: ssh_config, known_hosts, <kind>.yml. Sourced by lab.
# shellcheck shell=bash

# write FILE: standard input, in place at once, so that no reader ever sees half a file.
write() { cat >"$1.part" && mv "$1.part" "$1"; }

all_hosts() { # lines of: KIND HOST
    local kind host
    for kind in "${kinds[@]}"; do
        for host in $(hosts_of "$kind"); do printf '%s %s\n' "$kind" "$host"; done
    done
}

ssh_config() {
    local kind host
    while read -r kind host; do
        printf 'Host %s\n    HostName %s\n\n' "$host" "$(address_of "$kind" "$host")"
    done < <(all_hosts)
    cat <<-END
	Host *
	    User root
	    IdentityFile $state/key
	    IdentitiesOnly yes
	    UserKnownHostsFile $state/known_hosts
	    GlobalKnownHostsFile none
	    StrictHostKeyChecking yes
	    ConnectTimeout 10
	END
    [[ ! ${LAB_KEX:-} ]] || printf '    KexAlgorithms %s\n' "$LAB_KEX"
}

known_hosts() {
    local kind host address public type key
    while read -r kind host; do
        address=$(address_of "$kind" "$host")
        for public in "$(disk_of "$kind" "$host")"/upper/etc/ssh/ssh_host_*_key.pub; do
            read -r type key _ <"$public"
            printf '%s,%s %s %s\n' "$host" "$address" "$type" "$key"
        done
    done < <(all_hosts)
}

vars_file() { # KIND
    local host
    printf 'lab_controller: "%s"\nlab_http: "%s"\nlab_addresses:\n' "$(controller_of "$1")" "$(http_url "$1")"
    for host in $(hosts_of "$1"); do printf '  %s: "%s"\n' "$host" "$(address_of "$1" "$host")"; done
    printf 'lab_addresses6:\n'
    for host in $(hosts_of "$1"); do printf '  %s: "%s"\n' "$host" "$(address6_of "$1" "$host")"; done
    [[ ! -f $state/geth/$geth_version/SHA256SUMS ]] ||
        awk '$2 == "geth" { printf "geth_sha256: \"%s\"\n", $1 }' "$state/geth/$geth_version/SHA256SUMS"
}

write_configuration() { # KIND
    ssh_config | write "$state/ssh_config"
    known_hosts | write "$state/known_hosts"
    vars_file "$1" | write "$state/$1.yml"
}

make_ssh_key() {
    [[ -f $state/key && -f $state/key.pub ]] && return
    rm -f "$state"/key{,.pub,.part,.part.pub}
    ssh-keygen -q -t ed25519 -N '' -C lab -f "$state/key.part"
    mv "$state/key.part.pub" "$state/key.pub"
    mv "$state/key.part" "$state/key"
}
