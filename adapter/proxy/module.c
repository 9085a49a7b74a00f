/* An IPA module that only says what it is. libcamera loads no module that it isolates, and it isolates
 * every module that its own build has not signed: it reads this symbol from the file and starts the
 * worker. So there is no code here, and no ipaCreate.
 *
 * The structure is that of libcamera 0.0.3 to 0.7.2 (include/libcamera/ipa/ipa_module_info.h). 0.0.3
 * wants exactly its size, later ones at least their own. master's has no pipeline_name and finds its
 * name in that place. */

struct ipa_module_info {
	int module_api_version;
	unsigned int pipeline_version;
	char pipeline_name[256];
	char name[256];
} __attribute__((packed));

_Static_assert(sizeof(struct ipa_module_info) == 520, "as every libcamera up to 0.7.2 has it");

/* IPA_MODULE_API_VERSION, and the one version that the IPU3 pipeline asks for. `name` is also the
 * folder of the tuning files: libcamera's own. */
extern const struct ipa_module_info ipaModuleInfo;
__attribute__((visibility("default"))) const struct ipa_module_info ipaModuleInfo = {
	1, 1, PIPELINE_NAME, "ipu3",
};
