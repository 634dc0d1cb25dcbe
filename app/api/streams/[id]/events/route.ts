import { appRoute } from "@/app/lib/auth";
import { getStreamEvents } from "@/app/lib/streams/handlers";

export const { GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS } = appRoute(
  "/api/streams/{id}/events",
  {
    GET: getStreamEvents,
  },
  "any",
);
