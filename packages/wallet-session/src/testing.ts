export { type StoreConformanceOptions, storeConformance } from "./testing/store-conformance.ts";
