import { appRoute } from "@/app/lib/auth";
import { postCancel } from "@/app/lib/operations/handlers";

export const { GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS } = appRoute("/api/operations/{id}/cancel", {
  POST: postCancel,
});
