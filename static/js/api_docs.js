// Starts Swagger UI with the settings of the page.
"use strict";

const settings = JSON.parse(document.getElementById("swagger-settings").textContent);
settings.dom_id = "#swagger-ui";
settings.presets = [SwaggerUIBundle.presets.apis];
// Calls made in the browser's session need the CSRF token; a token's calls ignore it.
settings.requestInterceptor = (request) => {
  request.headers["X-CSRFToken"] = document.body.dataset.csrfToken;
  return request;
};
window.ui = SwaggerUIBundle(settings);
