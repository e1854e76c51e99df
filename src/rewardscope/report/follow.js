(() => {
  "use strict";
  const news = new EventSource(`${location.pathname}/events`);
  news.onmessage = () => location.reload();
})();
