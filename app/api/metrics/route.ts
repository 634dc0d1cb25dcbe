import { route } from "@/app/lib/auth";

export const { GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS } = route("metrics");
