'use strict';
const note=document.getElementById('note'),every=+document.body.dataset.milliseconds;
let shown=null,next=null;
const marks=page=>[...page.querySelectorAll('h1,h2,h3,summary,caption,figcaption')];
// Where somebody reads: the nearest mark above, how many of its name come before it, and how far up it is.
const place=page=>{
 const all=marks(page),above=all.filter(each=>each.getBoundingClientRect().top<1).pop();
 if(!above)return null;
 const alike=all.filter(each=>each.textContent===above.textContent);
 return{text:above.textContent,index:alike.indexOf(above),top:above.getBoundingClientRect().top}};
const go=(frame,to,pixels)=>{
 const page=frame.contentDocument,mark=to&&marks(page).filter(each=>each.textContent===to.text)[to.index];
 frame.contentWindow.scrollTo({top:mark?page.scrollingElement.scrollTop+mark.getBoundingClientRect().top-to.top:pixels,behavior:'instant'})};
// A chart that is drawn after the page has loaded moves what is below it: go there again until it rests.
const settle=(frame,to,pixels)=>{
 go(frame,to,pixels);
 const watcher=new frame.contentWindow.ResizeObserver(()=>go(frame,to,pixels)),end=()=>watcher.disconnect();
 watcher.observe(frame.contentDocument.body);
 for(const each of ['wheel','touchstart','keydown','mousedown'])frame.contentWindow.addEventListener(each,end,{once:true});
 setTimeout(end,1500)};
const loaded=(frame,version)=>{
 next=null;
 const page=frame.contentDocument,old=document.querySelector('iframe.shown');
 if(!page||!page.body||!page.title){frame.remove();return}
 if(old){
  const open=[...old.contentDocument.querySelectorAll('details[open]>summary')].map(each=>each.textContent);
  for(const each of page.querySelectorAll('details>summary'))if(open.includes(each.textContent))each.parentElement.open=true;
  settle(frame,place(old.contentDocument),old.contentWindow.scrollY)}
 frame.className='shown';
 old?.remove();
 frame.contentWindow.focus();
 document.title=page.title;
 shown=version};
const show=version=>{
 next=document.createElement('iframe');
 next.title='report';
 next.className='next';
 next.src='/report';
 next.onload=event=>{event.target.onload=null;loaded(event.target,version)};
 document.body.append(next)};
const look=async()=>{
 try{
  const answer=await fetch('/version',{cache:'no-store'});
  if(!answer.ok)throw Error(answer.status);
  const now=await answer.json();
  note.textContent=now.message;
  if(now.version&&now.version!==shown&&!next)show(now.version)
 }catch{note.textContent='The server has ended: this is its last report.'}
 setTimeout(look,every)};
look();
