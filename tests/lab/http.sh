# The lab's HTTP server: geth, the apt repository and what tests put under .lab/http. Sourced by lab.
# shellcheck shell=bash

http_port=8080
http_url() { printf 'http://%s:%s' "$(controller_of "$1")" "$http_port"; }

# The pid file's process, if it is still our server and not another process that got its number.
http_pid() { # KIND
    local pid
    pid=$(cat "$state/$1/http.pid" 2>/dev/null) && [[ $pid ]] &&
        tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -qF "httpd -f -p $(controller_of "$1"):$http_port" && printf %s "$pid"
}

http_up() { # KIND
    http_pid "$1" >/dev/null && return
    setsid busybox httpd -f -p "$(controller_of "$1"):$http_port" -h "$state/http" \
        </dev/null >"$state/$1/http.log" 2>&1 9>&- &
    echo $! >"$state/$1/http.pid"
    within 10 http_answers "$1" || die "the lab's HTTP server does not answer: see $state/$1/http.log"
}

http_answers() { (exec 3<>"/dev/tcp/$(controller_of "$1")/$http_port") 2>/dev/null; }

http_down() { # KIND
    local pid
    pid=$(http_pid "$1") && kill -- "-$pid" 2>/dev/null
    rm -f "$state/$1/http.pid"
}

# What is served: links into the folders that hold the real files.
publish() { # BASE
    mkdir -p "$state/http"
    ln -sfn "$1/apt" "$state/http/apt"
    ln -sfn "$state/geth" "$state/http/geth"
}
