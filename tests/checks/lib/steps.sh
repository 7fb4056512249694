# shellcheck shell=bash
# Runs named steps in parallel, each with a log of its own. Sourced by tests/run, which sets `logs` to a folder.
#
#   step NAME KIND "NEEDS…" "WHAT IT DOES"
#
# runs the function step_NAME once the steps that it needs have passed. KIND says when, and with which priority:
#   waits       at once: it mostly waits for the network or a clock
#   background  at low priority, some at once
#   foreground  at normal priority, one after the other: it measures time, or others wait for it

declare -a steps=() chosen=()
declare -A kind=() needs=() what=() state=() pid_of=() started=() took=() used=()

step() {
    steps+=("$1")
    kind[$1]=$2 needs[$1]=$3 what[$1]=$4
}

list_steps() {
    local name
    for name in "${steps[@]}"; do
        printf '%-13s %s\n' "$name" "${what[$name]}"
    done
}

# Chooses a step, and those that it needs.
choose() {
    local need
    [ "${what[$1]:-}" ] || fail "there is no step $1; tests/run --list shows all"
    state[$1]=chosen
    for need in ${needs[$1]}; do
        choose "$need"
    done
}

is_ready() {
    local need other busy=0
    for need in ${needs[$1]}; do
        [ "${state[$need]}" = passed ] || return 1
    done
    for other in "${!pid_of[@]}"; do
        [ "${kind[$other]}" = "${kind[$1]}" ] && busy=$((busy + 1))
    done
    case ${kind[$1]} in
        background) [ "$busy" -le "$(nproc)" ] ;;
        foreground) [ "$busy" -eq 0 ] ;;
    esac
}

# shellcheck disable=SC2154 # the folder is set by tests/run
start_step() {
    local name=$1
    printf '== %s begins: %s\n' "$name" "${what[$name]}"
    state[$name]=running started[$name]=$SECONDS
    set -m # gives it a process group, by which all that it starts can be ended
    (
        set -euo pipefail
        if [ "${kind[$name]}" = background ]; then
            renice -n 10 "$BASHPID" >/dev/null
        fi
        TIMEFORMAT='%U %S'
        { time "step_$name" 2>&4; } 4>&2 2>"$logs/$name.cpu"
    ) >"$logs/$name.log" 2>&1 </dev/null &
    pid_of[$name]=$!
    set +m
}

# Waits for a step to end, and shows what it printed.
end_step() {
    local name pid code=0
    wait -n -p pid "${pid_of[@]}" || code=$?
    for name in "${!pid_of[@]}"; do
        [ "${pid_of[$name]}" = "$pid" ] && break
    done
    took[$name]=$((SECONDS - started[$name]))
    printf '\n== %s, after %d s:\n' "$name" "${took[$name]}"
    cat "$logs/$name.log"
    [ "$code" -eq 0 ] || fail "the step $name failed (exit $code). tests/run $name repeats it."
    printf '== %s passed\n' "$name"
    used[$name]=$(awk '{ printf "%.0f", $1 + $2 }' "$logs/$name.cpu")
    state[$name]=passed
    unset "pid_of[$name]"
}

start_ready_steps() {
    local name
    for name in "${chosen[@]}"; do
        if [ "${state[$name]}" = chosen ] && is_ready "$name"; then
            start_step "$name"
        fi
    done
}

# Runs the steps of these names and those that they need, until one fails.
run_steps() {
    local name sum=0
    for name in "$@"; do
        choose "$name"
    done
    for name in "${steps[@]}"; do
        [ -z "${state[$name]:-}" ] || chosen+=("$name")
    done
    # Not in the condition of the loop: there, bash would let a step go on after a command that fails.
    start_ready_steps
    while [ ${#pid_of[@]} -gt 0 ]; do
        end_step
        start_ready_steps
    done
    printf '\n%-13s %8s %8s\n' '' seconds 'of CPU'
    for name in "${chosen[@]}"; do
        printf '%-13s %8d %8d\n' "$name" "${took[$name]}" "${used[$name]}"
        sum=$((sum + used[$name]))
    done
    printf '%-13s %8d %8d\n' total "$SECONDS" "$sum"
}

# Ends the steps that still run, with all that they started. What root started only root can end.
stop_steps() {
    local pid signal
    [ ${#pid_of[@]} -gt 0 ] || return 0
    for signal in TERM KILL; do
        for pid in "${pid_of[@]}"; do
            as_root kill "-$signal" -- "-$pid" 2>/dev/null || true
        done
        [ "$signal" = KILL ] || sleep 5
    done
}
