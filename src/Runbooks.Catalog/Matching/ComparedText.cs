using System.Text;
using Runbooks.Model.Text;

namespace Runbooks.Catalog.Matching;

/// <summary>Text as it is compared: composed letters (Unicode's form C), and ordinary spaces for those that only look like one.</summary>
internal static class ComparedText
{
    public static string Of(string text)
    {
        // Nearly all text is this, and nothing about it can be written in two ways.
        if (Ascii.IsValid(text))
        {
            return text;
        }

        return ComposedText.Of(text.Replace('\u00A0', ' ').Replace('\u202F', ' ').Replace('\u2007', ' ').Replace('\u3000', ' '));
    }
}
