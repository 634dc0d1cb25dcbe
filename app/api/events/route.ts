import { appRoute } from "@/app/lib/auth";
import { getEvents } from "@/app/lib/live/handlers";

export const { GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS } = appRoute(
  "/api/events",
  { GET: getEvents },
  "any",
);
