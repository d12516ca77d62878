# The pictures in docs/screens are what the program draws today.
. "$SOURCE_DIR/tests/support/shell.sh"

sh "$SOURCE_DIR/docs/generate/screens.sh" "$CLOUD370" "$work/screens"
if diff -rq "$SOURCE_DIR/docs/screens" "$work/screens"; then
    exit 0
fi
echo "docs/screens is not what the program draws; take the pictures anew:"
echo "    cmake --build $BUILD_DIR --target docs"
exit 1
