#!/bin/sh
# The virtual printer's paper path, run by ippeveprinter for each job with the spooled document as $1. Puts a whole
# document into the exit tray under its job's name, and meets the fault that is set. Says on standard error what the
# printer is to report.

home=$(dirname "$0")

fault() {
    cat "$home/fault" 2>/dev/null
}

announce() {
    case "$(fault)" in
        jam) echo "STATE: -cover-open-error" >&2; echo "STATE: +media-jam-error" >&2 ;;
        open) echo "STATE: -media-jam-error" >&2; echo "STATE: +cover-open-error" >&2 ;;
        *) echo "STATE: -media-jam-error,cover-open-error" >&2 ;;
    esac
}

announce
# Not a document: the fault was changed while no paper was moving.
[ "$(head -c 7 "$1")" = SERVICE ] && exit 0

while [ -n "$(fault)" ]; do
    announce
    sleep 0.05
done
announce

# A real printer may well print half a document; this one shows that it was half.
if ! tail -c 1024 "$1" | grep -a -q '%%EOF'; then
    echo "ERROR: incomplete document" >&2
    exit 1
fi

pages=$(grep -a -o -E '/Type */Page([^s]|$)' "$1" | wc -l)
name=$(printf '%s' "$IPP_JOB_NAME" | tr '/' '_')
paper="$home/papers/$name.pdf"
again=2
while [ -e "$paper" ] || [ -e "$home/taken/$(basename "$paper")" ]; do
    paper="$home/papers/$name ($again).pdf"
    again=$((again + 1))
done
cp "$1" "$home/half-out" && mv "$home/half-out" "$paper" || exit 1
echo "ATTR: job-impressions-completed=$((pages))" >&2
