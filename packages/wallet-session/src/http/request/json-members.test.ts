import fc from "fast-check";
import { expect, test } from "vitest";
import { topLevelNames } from "./json-members.ts";

test.each([
  ["{}", []],
  ['{"a":1,"b":{"c":[{"d":"e"}]},"f":"g,\\"h\\":1"}', ["a", "b", "f"]],
  ['{ "a" : "\\\\" , "a" : [ "{", "}" ] }', ["a", "a"]],
  ['{"\\u0061":{},"":[],"a":null}', ["a", "", "a"]],
])("%s names %j", (text, names) => {
  expect(topLevelNames(text)).toEqual(names);
});

test("the names of any object are those that JSON.parse finds", () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.string({ unit: "binary" }), fc.jsonValue({ maxDepth: 2 })),
      fc.integer({ min: 0, max: 3 }),
      (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        expect(topLevelNames(text).sort()).toEqual(Object.keys(JSON.parse(text)).sort());
      },
    ),
  );
});
