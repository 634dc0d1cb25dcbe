import { appRoute } from "@/app/lib/auth";
import { getOperationEvents } from "@/app/lib/operations/handlers";

export const { GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS } = appRoute(
  "/api/operations/{id}/events",
  {
    GET: getOperationEvents,
  },
  "any",
);
