# docs/instructions.md is what the instruction table and the s370 cost model say today.
. "$SOURCE_DIR/tests/support/shell.sh"

[ -x "$BUILD_DIR/instruction_reference" ] || skip "the generator of docs/instructions.md was not built"
"$BUILD_DIR/instruction_reference" >"$work/instructions.md"
if diff -u "$SOURCE_DIR/docs/instructions.md" "$work/instructions.md"; then
    exit 0
fi
echo "docs/instructions.md is not what the instruction table says; write it anew:"
echo "    cmake --build $BUILD_DIR --target docs"
exit 1
