'use strict';
const number=t=>{const m=t.replace(/,/g,'').match(/^[-+]?\d[\d.]*(e[-+]?\d+)?/);return m?parseFloat(m[0]):NaN};
for(const b of document.querySelectorAll('th button'))b.onclick=()=>{
 const th=b.parentElement,row=th.parentElement,body=th.closest('table').tBodies[0],i=[...row.children].indexOf(th);
 const up=th.getAttribute('aria-sort')!=='ascending';
 for(const o of row.children)o.removeAttribute('aria-sort');
 th.setAttribute('aria-sort',up?'ascending':'descending');
 const key=r=>r.cells[i].textContent;
 [...body.rows].sort((x,y)=>{const a=number(key(x)),c=number(key(y));
  const d=isNaN(a)||isNaN(c)?(isNaN(a)-isNaN(c))||key(x).localeCompare(key(y)):a-c;return up?d:-d}).forEach(r=>body.append(r))};
