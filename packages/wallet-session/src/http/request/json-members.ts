/**
 * How many members of its own an object has as the text spells them, doubled ones twice: `JSON.parse` keeps the last and
 * drops the others without a word. A proxy or firewall in front may have read another one, so the contract refuses doubled
 * members with 400, and `JSON.parse` alone cannot. `text` must be a JSON object that `JSON.parse` has accepted.
 */
export function countMembers(text: string): number {
  let count = 0;
  let depth = 0;
  let expectsName = false;
  for (let at = 0; at < text.length; at++) {
    switch (text[at]) {
      case "{":
      case "[":
        depth++;
        expectsName = depth === 1;
        break;
      case "}":
      case "]":
        depth--;
        break;
      case ",":
        expectsName = depth === 1;
        break;
      case '"': {
        if (expectsName) count++;
        expectsName = false;
        at = endOfString(text, at);
        break;
      }
    }
  }
  return count;
}

function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
  return at;
}
