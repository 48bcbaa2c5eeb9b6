// SDL2 (video and events only), SDL2_ttf and fontconfig; what Swift cannot import is wrapped here.
#pragma once
#define SDL_MAIN_HANDLED
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
