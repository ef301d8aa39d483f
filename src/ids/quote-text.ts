/** What a person or a file said, put into a message. */

/** A text in quotes, safe to print: control characters escaped, long ones cut. */
export function quoteText(text: string): string {
  const cut = text.length > 200 ? `${text.slice(0, 200)}…` : text;
  const escaped = cut.replace(/[\u0000-\u001f\u007f-\u009f]/g, (character) => {
    return `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
  return `'${escaped}'`;
}
