/** The part of Swagger UI's settings that is used here: the package has no types of its own. */
declare module "swagger-ui-dist/swagger-ui-es-bundle.js" {
  export default function show(settings: {
    readonly domNode: HTMLElement;
    readonly url: string;
    readonly plugins: readonly (() => object)[];
    readonly supportedSubmitMethods: readonly string[];
    readonly defaultModelsExpandDepth: number;
    readonly validatorUrl: null;
  }): void;
}
