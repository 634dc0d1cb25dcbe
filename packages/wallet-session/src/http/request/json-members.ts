/**
 * The names of an object's own members as the text spells them, doubled ones twice: `JSON.parse` keeps the last and
 * drops the others without a word. A proxy or firewall in front may have read another one, so the contract refuses doubled
 * members with 400, and `JSON.parse` alone cannot. `text` must be a JSON object that `JSON.parse` has accepted.
 */
export function topLevelNames(text: string): string[] {
  const names: string[] = [];
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
        const end = endOfString(text, at);
        if (expectsName) names.push(JSON.parse(text.slice(at, end + 1)));
        expectsName = false;
        at = end;
        break;
      }
    }
  }
  return names;
}

function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
  return at;
}
