"use strict";
// Django opens the sidebar when the whole page is there, which moves everything. This does it before anything is drawn.
try {
  const isOpen = localStorage.getItem("django.admin.navSidebarIsOpen") !== "false";
  document.getElementById("main")?.classList.toggle("shifted", isOpen);
} catch {
  // A browser that keeps nothing for the site: Django's own script does the same.
}
