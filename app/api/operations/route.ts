import { appRoute } from "@/app/lib/auth";
import { getOperations, postOperation } from "@/app/lib/operations/handlers";

export const { GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS } = appRoute("/api/operations", {
  GET: getOperations,
  POST: postOperation,
});
