#!/usr/bin/env bash
# Lines of each room that the tests run, and those of json, compare and align that none does: target/coverage.
set -euo pipefail
cd "$(dirname "$0")/.."
out=target/coverage
mkdir -p $out
# A process whose writes fail, or that is killed while it writes, leaves a count that tarpaulin cannot read: it ends there.
tests=()
for file in tests/*.rs; do
    case $(basename "$file" .rs) in
        world | snapshot_kills | episode_record) ;;
        *) tests+=(--test "$(basename "$file" .rs)") ;;
    esac
done
# The program is run by many tests, so its runs count too. Lines are counted before the compiler optimises.
export CARGO_PROFILE_DEV_OPT_LEVEL=1
cargo tarpaulin --locked --lib --bins "${tests[@]}" --engine llvm --follow-exec --skip-clean --target-dir $out/build --include-files 'src/*' \
    --include-files 'src/**/*' --out Lcov --output-dir $out --timeout 600 --no-fail-fast > $out/log.txt 2>&1 \
    || { tail -n 20 $out/log.txt && exit 1; }
awk -F '[:,]' '
    /^SF:/ { file = $2; sub(/^.*\/src\//, "", file); room = index(file, "/") ? substr(file, 1, index(file, "/") - 1) : "src" }
    /^DA:/ { lines[room]++; if ($3 > 0) covered[room]++; else if (room ~ /^(json|compare|align)$/) print "src/" file ":" $2 > "'$out'/missed.txt" }
    END { for (room in lines) printf "%-8s  %5d of %5d lines  %5.1f %%\n", room, covered[room], lines[room], 100 * covered[room] / lines[room] }
' $out/lcov.info | sort
echo "not covered in json, compare, align: $out/missed.txt, $(sort -u $out/missed.txt | wc -l) lines"
