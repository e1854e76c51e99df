"use strict";
(() => {
  const root = document.documentElement;
  const errors = [];
  const report = (text) => { errors.push(String(text)); root.dataset.errors = errors.join(" | "); };
  window.addEventListener("error", (event) => report(event.message));
  window.addEventListener("unhandledrejection", (event) => report(event.reason));
  document.addEventListener("securitypolicyviolation", (event) => report(`policy: ${event.violatedDirective} ${event.blockedURI}`));

  const read = (id) => JSON.parse(document.getElementById(id).textContent);

  // Completions and names come from others: they enter the page only through textContent.
  const make = (tag, className, text) => {
    const element = document.createElement(tag);
    if (className) element.className = className;
    if (text !== undefined) element.textContent = text;
    return element;
  };

