// SDL2 (video and events only), SDL2_ttf and fontconfig; what Swift cannot import is wrapped here.
//
// Nothing here is linked: the libraries bring fifty others with them (X11, Wayland, PulseAudio), which takes half of
// a program's start and is for naught where no window opens. They are loaded with the first window
// (docs/decisions/0020).
#pragma once
#define SDL_MAIN_HANDLED
#include <dlfcn.h>
#include <SDL2/SDL.h>
#include <SDL2/SDL_ttf.h>
#include <fontconfig/fontconfig.h>

// Macros with expressions in them.
static const int csdl_window_centered = SDL_WINDOWPOS_CENTERED;

// Character arrays inside the event union.
static inline const char *csdl_text_input(const SDL_Event *event) { return event->text.text; }
static inline const char *csdl_text_editing(const SDL_Event *event) { return event->edit.text; }
static inline const char *csdl_text_editing_long(const SDL_Event *event) {
  return event->editExt.text;
}

// What is called of each library. The types are the headers', so a wrong call does not compile.
#define CSDL_SDL(X) \
  X(SDL_CreateRGBSurfaceWithFormat) X(SDL_CreateRGBSurfaceWithFormatFrom) X(SDL_CreateRenderer) \
  X(SDL_CreateSystemCursor) X(SDL_CreateTexture) X(SDL_CreateTextureFromSurface) \
  X(SDL_CreateWindow) X(SDL_DestroyRenderer) X(SDL_DestroyTexture) X(SDL_DestroyWindow) \
  X(SDL_DisableScreenSaver) X(SDL_FillRect) X(SDL_FreeCursor) X(SDL_FreeSurface) \
  X(SDL_GetClipboardText) X(SDL_GetDisplayDPI) X(SDL_GetDisplayUsableBounds) X(SDL_GetError) \
  X(SDL_GetRendererOutputSize) X(SDL_GetTicks64) X(SDL_GetWindowSize) X(SDL_HideWindow) \
  X(SDL_InitSubSystem) X(SDL_IsTextInputActive) X(SDL_PollEvent) X(SDL_PushEvent) \
  X(SDL_QuitSubSystem) X(SDL_RegisterEvents) X(SDL_RenderCopy) X(SDL_RenderCopyEx) \
  X(SDL_RenderFillRect) X(SDL_RenderPresent) X(SDL_RenderReadPixels) X(SDL_RenderSetClipRect) \
  X(SDL_SetClipboardText) X(SDL_SetCursor) X(SDL_SetHint) X(SDL_SetMainReady) \
  X(SDL_SetRenderDrawBlendMode) X(SDL_SetRenderDrawColor) X(SDL_SetSurfaceBlendMode) \
  X(SDL_SetTextInputRect) X(SDL_SetTextureAlphaMod) X(SDL_SetTextureBlendMode) \
  X(SDL_SetTextureColorMod) X(SDL_SetTextureScaleMode) X(SDL_SetWindowFullscreen) \
  X(SDL_SetWindowIcon) X(SDL_SetWindowMinimumSize) X(SDL_SetWindowSize) \
  X(SDL_SetYUVConversionMode) X(SDL_ShowCursor) X(SDL_ShowWindow) X(SDL_StartTextInput) \
  X(SDL_StopTextInput) X(SDL_UpdateTexture) X(SDL_UpdateYUVTexture) X(SDL_UpperBlit) \
  X(SDL_UpperBlitScaled) X(SDL_WaitEventTimeout) X(SDL_free)
#define CSDL_TTF(X) \
  X(TTF_CloseFont) X(TTF_FontAscent) X(TTF_FontDescent) X(TTF_Init) X(TTF_OpenFontIndex) \
  X(TTF_Quit) X(TTF_RenderUTF8_Blended) X(TTF_SetFontDirection) X(TTF_SetFontHinting) \
  X(TTF_SetFontScriptName) X(TTF_SizeUTF8)
#define CSDL_FONTCONFIG(X) \
  X(FcCharSetHasChar) X(FcConfigDestroy) X(FcConfigSubstitute) X(FcDefaultSubstitute) \
  X(FcFontSetDestroy) X(FcFontSort) X(FcInitLoadConfigAndFonts) X(FcPatternAddInteger) \
  X(FcPatternAddString) X(FcPatternCreate) X(FcPatternDestroy) X(FcPatternGetBool) \
  X(FcPatternGetCharSet) X(FcPatternGetInteger) X(FcPatternGetString)

#define CSDL_MEMBER(name) __typeof__(&name) name;
#define CSDL_FIND(name) \
  if (!(functions->name = (__typeof__(&name))dlsym(library, #name))) return #name;

typedef struct { CSDL_SDL(CSDL_MEMBER) } csdl_sdl;
typedef struct { CSDL_TTF(CSDL_MEMBER) } csdl_ttf;
typedef struct { CSDL_FONTCONFIG(CSDL_MEMBER) } csdl_fontconfig;

// Each returns the name of a function that the library lacks, or NULL.
static inline const char *csdl_find_sdl(csdl_sdl *functions, void *library) {
  CSDL_SDL(CSDL_FIND)
  return NULL;
}
static inline const char *csdl_find_ttf(csdl_ttf *functions, void *library) {
  CSDL_TTF(CSDL_FIND)
  return NULL;
}
static inline const char *csdl_find_fontconfig(csdl_fontconfig *functions, void *library) {
  CSDL_FONTCONFIG(CSDL_FIND)
  return NULL;
}
