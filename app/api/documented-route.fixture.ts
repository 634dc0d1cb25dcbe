import { contractOf, documentedFetch } from "../../packages/wallet-session/test/contract.ts";
import { streamPay } from "../lib/openapi.ts";
import { GET } from "./[...path]/route.ts";

/** Every method of the catch-all route. Rejects where an answer is not as the OpenAPI document says. */
export const route = documentedFetch(() => contractOf({ part: streamPay }), GET);
