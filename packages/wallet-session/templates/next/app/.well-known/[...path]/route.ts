import { routes } from "wallet-session/next";
import { sessions } from "../../../sessions";

export const { GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS } = routes(sessions.fetch);
