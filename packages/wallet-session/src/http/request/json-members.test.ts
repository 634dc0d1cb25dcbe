import fc from "fast-check";
import { expect, test } from "vitest";
import { countMembers } from "./json-members.ts";

test.each([
  ["{}", 0],
  ['{"a":1,"b":{"c":[{"d":"e"}]},"f":"g,\\"h\\":1"}', 3],
  ['{ "a" : "\\\\" , "a" : [ "{", "}" ] }', 2],
  ['{"\\u0061":{},"":[],"a":null}', 3],
])("%s has %i members", (text, count) => {
  expect(countMembers(text)).toBe(count);
});

test("any object has as many members as JSON.parse finds, and one more for each that comes again", () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.string({ unit: "binary" }), fc.jsonValue({ maxDepth: 2 })),
      fc.integer({ min: 0, max: 3 }),
      (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        const count = Object.keys(JSON.parse(text)).length;
        expect(countMembers(text)).toBe(count);
        const doubled = count === 0 ? text : `${text.slice(0, -1)},${text.slice(1)}`;
        expect(countMembers(doubled)).toBe(2 * count);
      },
    ),
  );
});
