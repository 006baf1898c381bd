// A link may carry a token in its fragment, which browsers do not send. It is put into the form and sent as a body.
"use strict";
(() => {
  function signIn() {
    const match = /^#t=([A-Za-z0-9_-]{20,200})$/.exec(location.hash);
    if (!match) return;
    history.replaceState(null, "", location.pathname);
    document.getElementById("token").value = match[1];
    document.getElementById("waiting").hidden = false;
    document.getElementById("sign-in").submit();
  }
  addEventListener("hashchange", signIn);
  signIn();
})();
