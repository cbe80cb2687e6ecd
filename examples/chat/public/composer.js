// Where messages are written, and files chosen, pasted and dropped.

const form = document.getElementById('composer');
const field = document.getElementById('text');
const picker = document.getElementById('file');
const app = document.getElementById('app');

/** @param {{ onText, onFile, onTyping }} listeners */
export function compose({ onText, onFile, onTyping }) {
  function submit() {
    const text = field.value.trim();

    if (text === '') return;
    field.value = '';
    fit();
    onText(text);
  }

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    submit();
    field.focus();
  });
  field.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    submit();
  });
  field.addEventListener('input', () => {
    fit();
    onTyping();
  });
  field.addEventListener('paste', ({ clipboardData }) => {
    for (const file of clipboardData.files) onFile(file);
  });
  document
    .getElementById('attach')
    .addEventListener('click', () => picker.click());
  picker.addEventListener('change', () => {
    for (const file of picker.files) onFile(file);
    picker.value = '';
  });
  addEventListener('dragover', (event) => {
    event.preventDefault();
    app.classList.add('dropping');
  });
  addEventListener('dragleave', ({ relatedTarget }) => {
    if (relatedTarget === null) app.classList.remove('dropping');
  });
  addEventListener('drop', (event) => {
    event.preventDefault();
    app.classList.remove('dropping');
    for (const file of event.dataTransfer.files) onFile(file);
  });
}

export function focus() {
  field.focus();
}

/** As high as the text, up to a limit of the style sheet's. */
function fit() {
  field.style.height = 'auto';
  field.style.height = `${field.scrollHeight}px`;
}
