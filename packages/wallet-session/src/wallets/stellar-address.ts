export { decodeStrkey, encodeStrkey, isAddress, type StrkeyKind } from "./stellar/strkey.ts";
