'use strict';
const save=(blob,name)=>{const a=document.createElement('a');a.href=URL.createObjectURL(blob);a.download=name;a.click();setTimeout(()=>URL.revokeObjectURL(a.href),1e3)};
const number=t=>{const m=t.replace(/,/g,'').match(/^[-+]?\d[\d.]*(e[-+]?\d+)?/);return m?parseFloat(m[0]):NaN};
for(const b of document.querySelectorAll('th button'))b.onclick=()=>{
 const th=b.parentElement,row=th.parentElement,body=th.closest('table').tBodies[0],i=[...row.children].indexOf(th);
 const up=th.getAttribute('aria-sort')!=='ascending';
 for(const o of row.children)o.removeAttribute('aria-sort');
 th.setAttribute('aria-sort',up?'ascending':'descending');
 const key=r=>r.cells[i].textContent;
 [...body.rows].sort((x,y)=>{const a=number(key(x)),c=number(key(y));
  const d=isNaN(a)||isNaN(c)?(isNaN(a)-isNaN(c))||key(x).localeCompare(key(y)):a-c;return up?d:-d}).forEach(r=>body.append(r))};
for(const f of document.querySelectorAll('figure')){
 const svg=f.querySelector('svg'),text=()=>{const c=svg.cloneNode(true);c.setAttribute('xmlns','http://www.w3.org/2000/svg');
  c.style.color=getComputedStyle(f).color;if(!f.classList.contains('show'))c.querySelectorAll('.seeds').forEach(s=>s.remove());
  c.querySelectorAll('.band').forEach(s=>s.setAttribute('opacity','.18'));return new XMLSerializer().serializeToString(c)};
 const name=f.dataset.name;
 f.querySelector('[data-do=seeds]')?.addEventListener('change',e=>f.classList.toggle('show',e.target.checked));
 f.querySelector('[data-do=svg]').onclick=()=>save(new Blob([text()],{type:'image/svg+xml'}),name+'.svg');
 f.querySelector('[data-do=png]').onclick=()=>{const i=new Image();i.onload=()=>{const c=document.createElement('canvas'),v=svg.viewBox.baseVal;
  c.width=2*v.width;c.height=2*v.height;const g=c.getContext('2d');g.fillStyle=getComputedStyle(document.body).backgroundColor;g.fillRect(0,0,c.width,c.height);
  g.drawImage(i,0,0,c.width,c.height);c.toBlob(b=>save(b,name+'.png'))};i.src='data:image/svg+xml;base64,'+btoa(unescape(encodeURIComponent(text())))}}
