# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# contract_make FILE [PAGES]: a PDF contract in Vietnamese, about 4 kB a page.

contract_make() {
    local file=$1 pages=${2-100} folder page line number=0
    folder=$(mktemp -d)
    openssl rand -hex $((pages * 40 * 16)) | fold -w 32 >"$folder/references"
    exec 7<"$folder/references"
    for ((page = 1; page <= pages; page++)); do
        {
            printf '%s\n' '<svg xmlns="http://www.w3.org/2000/svg" width="595" height="842">' \
                '<g font-family="DejaVu Sans" font-size="9">' \
                "<text x=\"50\" y=\"40\" font-size=\"14\">HỢP ĐỒNG DỊCH VỤ - Trang $page/$pages</text>"
            for ((line = 1; line <= 40; line++)); do
                read -r reference <&7
                printf '<text x="50" y="%d">%s</text>\n' $((50 + line * 18)) \
                    "Điều $((++number)). Hai bên thống nhất ký bằng chữ ký số. Mã $reference"
            done
            printf '</g></svg>\n'
        } >"$folder/$(printf %05d "$page").svg"
    done
    exec 7<&-
    rsvg-convert -f pdf -o "$file" "$folder"/*.svg
    rm -r "$folder"
}
