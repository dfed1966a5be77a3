'use strict';
(()=>{
const dark=matchMedia('(prefers-color-scheme: dark)');
const options=()=>({ast:true,actions:false,renderer:'svg',tooltip:{theme:dark.matches?'dark':'light'}});
const save=(blob,name)=>{const a=document.createElement('a');a.href=URL.createObjectURL(blob);a.download=name;a.click();setTimeout(()=>URL.revokeObjectURL(a.href),1e3)};
const merged=(a,b)=>b&&typeof b==='object'&&!Array.isArray(b)?Object.fromEntries([...new Set([...Object.keys(a||{}),...Object.keys(b)])].map(k=>[k,k in b?merged(a?.[k],b[k]):a[k]])):b;
// The definition is laid out for a file; here as many columns as the window has room for.
const laidOut=(spec,width)=>{
 const panels=spec.concat.length,columns=Math.min(panels,width<640?1:width<1150||panels===4?2:3);
 const legend={columns:Math.max(1,Math.floor(width/(6.2*spec.usermeta.letters+45)))};
 const room=Math.floor((width-20*(columns-1))/columns)-60;
 return{...spec,columns,concat:spec.concat.map(p=>({...p,width:Math.max(120,room)})),
  config:merged(merged(spec.config,{legend}),dark.matches?DARK:{})}};
// What a reader changed: which lines are shown, where the axes are, the switch.
const kept=view=>view&&view.getState({signals:n=>/^singles$|^zoom_\d+_(?!translate|zoom|tuple|modify)/.test(n),data:n=>/_store$/.test(n)});
const start=async figure=>{
 const place=figure.querySelector('.drawing'),{spec,title}=JSON.parse(figure.querySelector('script').textContent);
 let drawn=null,width=0;
 const draw=async state=>{
  width=place.clientWidth;delete figure.dataset.drawn;
  const next=await vegaEmbed(place,laidOut(spec,width),options()),view=next.view;
  if(drawn)drawn.finalize();
  drawn=next;
  if(state)await view.setState(state).runAsync();
  // Axes take what only the drawing knows; where that was guessed badly, the panels get the difference.
  const columns=laidOut(spec,width).columns,over=place.querySelector('svg').width.baseVal.value-width;
  if(over>8||over<-24*columns){const s=view.getState().signals,n='childWidth' in s?'childWidth':'width';
   await view.signal(n,Math.max(100,Math.floor(view.signal(n)-over/columns))).resize().runAsync()}
  figure.dataset.drawn='';
 };
 const again=()=>draw(kept(drawn.view));
 const picture=async make=>{
  const other=await vegaEmbed(document.createElement('div'),{...spec,title},options());
  await other.view.setState(kept(drawn.view)).resize().runAsync();
  const made=await make(other.view);other.finalize();return made};
 const on=(what,act)=>figure.querySelector(`[data-do=${what}]`)?.addEventListener('click',act);
 const name=figure.dataset.name;
 on('reset',()=>draw());
 on('svg',async()=>save(new Blob([await picture(v=>v.toSVG())],{type:'image/svg+xml'}),name+'.svg'));
 on('png',async()=>(await picture(v=>v.toCanvas(2))).toBlob(b=>save(b,name+'.png')));
 await draw();
 dark.addEventListener('change',again);
 let waiting;
 new ResizeObserver(()=>{if(Math.abs(place.clientWidth-width)>20){clearTimeout(waiting);waiting=setTimeout(again,200)}}).observe(place);
};
// One after the other, so that the page answers in between.
(async()=>{for(const f of document.querySelectorAll('figure[data-name]'))await start(f)})();
})();
