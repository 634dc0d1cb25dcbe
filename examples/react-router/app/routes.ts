import { index, route } from "@react-router/dev/routes";

export default [
  index("./home.tsx"),
  route("sign-in", "./sign-in.tsx"),
  route("account", "./account.tsx"),
  route("api/auth/*", "./endpoints.ts"),
  route(".well-known/*", "./endpoints.ts", { id: "well-known" }),
];
