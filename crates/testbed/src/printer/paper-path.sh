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

while :; do
    case "$(fault)" in
        jam | open | stuck) announce; sleep 0.05 ;;
        *) break ;;
    esac
done
announce

if [ "$(fault)" = refuses ]; then
    echo "ERROR: the document is refused" >&2
    exit 1
fi

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
if [ "$(fault)" = half ]; then
    # The sheet is torn off in the middle: no impression is whole.
    head -c 2000 "$1" > "$paper"
    echo "ATTR: job-impressions-completed=0" >&2
    exit 0
fi
cp "$1" "$home/half-out" && mv "$home/half-out" "$paper" || exit 1
echo "ATTR: job-impressions-completed=$((pages))" >&2
