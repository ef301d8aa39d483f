import { describe, expect, it } from 'vitest';
import { writeShellId } from '../../shell/language/shell-id.ts';

describe('$$', () => {
  it.each([
    ['echo $$ "${$}.x" a$$b', 'echo 42 "42.x" a42b'],
    ["echo '$$' \\$$ $$$", "echo '$$' \\$$ 42$"],
    ['cat <<E\n$$\nE', 'cat <<E\n42\nE'],
    ["cat <<'E'\n$$\nE", "cat <<'E'\n$$\nE"],
    ["trap 'rm -f /tmp/x.$$' EXIT; eval 'echo $$'", "trap 'rm -f /tmp/x.42' EXIT; eval 'echo 42'"],
    ["sh -c 'echo $$'; awk '$$1'", "sh -c 'echo $$'; awk '$$1'"],
    ['kill -TERM $$; x=$(kill -0 $$ && echo $$)', 'kill -TERM $$; x=$(kill -0 $$ && echo 42)'],
    ["trap 'kill $$' INT", "trap 'kill $$' INT"],
    ['f() { echo $$; }', 'f() { echo 42; }'],
    ['echo $(( $$ + 1 )) ${x:-$$}', 'echo $(( 42 + 1 )) ${x:-42}'],
    ['echo )', 'echo )'],
  ])('is written out where this shell expands it: %j', (text, written) => {
    expect(writeShellId(text, 42)).toBe(written);
  });
});
