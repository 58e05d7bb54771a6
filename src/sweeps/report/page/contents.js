// The contents: open beside the page, closed above it on a small screen; the section in sight is marked.
{
  const details = document.querySelector("nav details");
  const wide = window.matchMedia("(min-width: 64rem)");
  const links = [...document.querySelectorAll("nav a")];
  const heads = links.map((link) => document.getElementById(link.hash.slice(1)));
  const fit = () => { details.open = wide.matches; };
  const mark = () => {
    const above = heads.filter((head) => head.getBoundingClientRect().top < window.innerHeight / 3).length;
    links.forEach((link, at) => {
      if (at === above - 1) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    });
  };
  wide.addEventListener("change", fit);
  document.addEventListener("scroll", mark, { passive: true });
  links.forEach((link) => link.addEventListener("click", fit));
  fit();
  mark();
}
