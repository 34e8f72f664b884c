#!/usr/bin/env bash
# Lines of each room that the tests run, and those of json, compare and align that none does: target/coverage. One test
# binary after the other, since every process of a test leaves megabytes of counts. TESTS="lib corpus …" adds to what was
# counted before of the same sources (their unit tests, which stand at a file's end, aside); without it all is counted
# anew. The build takes some 20 GB of disk.
set -euo pipefail
cd "$(dirname "$0")/.."
out=target/coverage
sources=$(find src -name '*.rs' -print0 | sort -z | xargs -0 sed -s '/^mod tests {/,$d' | git hash-object --stdin)
if [ -z "${TESTS:-}" ] || [ "$(cat $out/sources 2> /dev/null)" != "$sources" ]; then rm -rf $out/counts; fi
mkdir -p $out/counts
echo "$sources" > $out/sources
# Lines are counted before the compiler optimises.
export CARGO_PROFILE_DEV_OPT_LEVEL=1
for name in ${TESTS:-lib $(basename -s .rs tests/*.rs)}; do
    selection=(--test "$name")
    if [ "$name" = lib ]; then selection=(--lib); fi
    rm -rf $out/build/tarpaulin
    # The program is run by many tests, so its runs count too.
    if cargo tarpaulin --locked "${selection[@]}" --engine llvm --follow-exec --skip-clean --target-dir $out/build \
        --include-files 'src/*' --include-files 'src/**/*' --out Lcov --output-dir $out --timeout 600 > $out/log.txt 2>&1; then
        mv $out/lcov.info "$out/counts/$name.info"
    elif grep -q 'llvm_profparsers works on complete data' $out/log.txt; then
        # A process whose writes fail, or that is killed while it writes, leaves a count that tarpaulin cannot read.
        echo "not counted: $name (a process left half a count)"
    else
        tail -n 20 $out/log.txt
        exit 1
    fi
done
rm -rf $out/build/tarpaulin
# A line counts as run where any of the binaries runs it.
awk -F '[:,]' '
    /^SF:/ { file = $2; sub(/^.*\/src\//, "", file) }
    /^DA:/ { run[file ":" $2] += $3 }
    END { for (line in run) print line, run[line] }
' $out/counts/*.info | sort -V > $out/lines.txt
awk '
    { room = index($1, "/") ? substr($1, 1, index($1, "/") - 1) : "src"; lines[room]++; covered[room] += $2 > 0 }
    END { for (room in lines) printf "%-8s  %5d of %5d lines  %5.1f %%\n", room, covered[room], lines[room], 100 * covered[room] / lines[room] }
' $out/lines.txt | sort
awk '$2 == 0 && /^(json|compare|align)\// { print "src/" $1 }' $out/lines.txt > $out/missed.txt
echo "not covered in json, compare, align: $out/missed.txt, $(wc -l < $out/missed.txt) lines"
